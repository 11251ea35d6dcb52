# Yours: replace what is of example.org, and the account in the certificate.
environment     = "production"
region          = "us-east-1"
zones           = ["us-east-1a", "us-east-1b"]
cidr            = "10.20.0.0/16"
domain          = "play.example.org"
certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"
alarm_mail      = "operators@example.org"
protects_data   = true
