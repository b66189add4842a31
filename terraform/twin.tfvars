# The twin: the same code against the embedded AWS. Nothing here costs money, so everything is disposable.

region      = "us-east-1"
name_prefix = "hallmark"
environment = "twin"
owner       = "hallmark"
lab         = "twin"
expires     = "2099-12-31"
disposable  = true

domain = "hallmark.example"
host   = "langsmith.hallmark.example"

# An address range reserved for documentation: nobody's.
api_access_cidrs = ["203.0.113.0/24"]
ingress_cidrs    = ["203.0.113.0/24"]

license_stand_in = true
