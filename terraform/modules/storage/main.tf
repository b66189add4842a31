# The bucket for large trace payloads: encrypted, private, TLS only, emptied by LangSmith's own retention prefixes.

resource "aws_s3_bucket" "this" {
  # Bucket names are global: account and region make this one ours.
  bucket        = "${var.name}-traces-${var.account_id}-${var.region}"
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket = aws_s3_bucket.this.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    # One data key per bucket and hour instead of one KMS call per object.
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_policy" "tls_only" {
  bucket = aws_s3_bucket.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  # S3 refuses two changes of a bucket's policy settings at once.
  depends_on = [aws_s3_bucket_public_access_block.this]
}

# LangSmith writes payloads of short-lived traces under ttl_s/ and of long-lived ones under ttl_l/. A shorter rule than
# its retention loses inputs and outputs of traces that still exist; no rule lets the bucket grow for ever.
resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    id     = "short-lived-traces"
    status = "Enabled"

    filter {
      prefix = "ttl_s/"
    }

    expiration {
      days = var.short_lived_days
    }
  }

  rule {
    id     = "long-lived-traces"
    status = "Enabled"

    filter {
      prefix = "ttl_l/"
    }

    expiration {
      days = var.long_lived_days
    }
  }

  rule {
    id     = "unfinished-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}
