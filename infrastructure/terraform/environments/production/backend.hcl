# The bucket that bootstrap/ made. S3 itself keeps two applies from running at once.
bucket       = "dopamine-hero-state-123456789012"
key          = "production/terraform.tfstate"
region       = "us-east-1"
encrypt      = true
use_lockfile = true
