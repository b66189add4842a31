"""AWS WAF as a load balancer's web ACL uses it: rules by priority, labels, rates, AWS's managed groups.

WAF developer guide. Left out: bot, fraud and DDoS control, tokens of Challenge and CAPTCHA (a client never has one),
geography, autonomous systems and TLS fingerprints (a client has none).
"""
