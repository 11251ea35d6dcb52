# Pictures of players. Nobody but the servers reads or writes them.

data "aws_caller_identity" "current" {}

resource "aws_s3_bucket" "uploads" {
  #checkov:skip=CKV_AWS_18:Only the servers come here, and they log what they do
  #checkov:skip=CKV_AWS_144:A lost picture shows as none; a second region costs more
  #checkov:skip=CKV2_AWS_62:Nobody waits for a picture
  bucket        = "${var.name}-uploads-${data.aws_caller_identity.current.account_id}"
  force_destroy = !var.protects_data
}

resource "aws_s3_bucket_versioning" "uploads" {
  bucket = aws_s3_bucket.uploads.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "uploads" {
  bucket = aws_s3_bucket.uploads.id
  rule {
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = var.key_arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "uploads" {
  bucket                  = aws_s3_bucket.uploads.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# A picture that its player deleted, or an erased player's, is really gone after these days.
resource "aws_s3_bucket_lifecycle_configuration" "uploads" {
  bucket = aws_s3_bucket.uploads.id
  rule {
    id     = "deleted"
    status = "Enabled"
    filter {}
    noncurrent_version_expiration {
      noncurrent_days = 30
    }
    expiration {
      expired_object_delete_marker = true
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

data "aws_iam_policy_document" "bucket" {
  statement {
    sid       = "OnlyTls"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.uploads.arn, "${aws_s3_bucket.uploads.arn}/*"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "uploads" {
  bucket = aws_s3_bucket.uploads.id
  policy = data.aws_iam_policy_document.bucket.json
}

# The server speaks S3 to any store and knows keys, not roles. The key is made by hand, so that it is in no state.
resource "aws_iam_user" "servers" {
  #checkov:skip=CKV_AWS_273:No person: the servers' key for the one bucket
  name = "${var.name}-uploads"
}

data "aws_iam_policy_document" "servers" {
  statement {
    sid       = "Pictures"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    resources = ["${aws_s3_bucket.uploads.arn}/avatars/*"]
  }

  statement {
    sid       = "List"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.uploads.arn]
    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["avatars/*", "avatars"]
    }
  }

  statement {
    sid       = "Key"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.key_arn]
    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${var.region}.amazonaws.com"]
    }
  }
}

resource "aws_iam_user_policy" "servers" {
  #checkov:skip=CKV_AWS_40:One user with one policy; a group of one would only hide it
  name   = "pictures"
  user   = aws_iam_user.servers.name
  policy = data.aws_iam_policy_document.servers.json
}

variable "name" {
  description = "Name of the environment's parts."
  type        = string
}

variable "region" {
  description = "Region of the bucket."
  type        = string
}

variable "key_arn" {
  description = "Key that encrypts the pictures."
  type        = string
}

variable "protects_data" {
  description = "Whether a bucket with pictures in it cannot be deleted."
  type        = bool
}

output "bucket" {
  description = "S3_BUCKET_NAME of the servers."
  value       = aws_s3_bucket.uploads.id
}

output "user" {
  description = "IAM user whose key the servers have."
  value       = aws_iam_user.servers.name
}
