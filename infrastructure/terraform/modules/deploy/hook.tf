# The hook, in two functions: one knows AWS and reaches no server, the other reaches servers and may do nothing in AWS.

data "aws_iam_policy_document" "lambda" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_cloudwatch_log_group" "functions" {
  #checkov:skip=CKV_AWS_338:What a deploy of three months ago did is in CodeDeploy's own history
  for_each          = toset(["hook", "ask"])
  name              = "/aws/lambda/${var.name}-drain-${each.key}"
  retention_in_days = 90
  kms_key_id        = var.key_arn
}

resource "aws_lambda_function" "hook" {
  #checkov:skip=CKV_AWS_50:A deploy calls it once; its log says everything
  #checkov:skip=CKV_AWS_115:A deploy calls it once; a small account has nothing to reserve
  #checkov:skip=CKV_AWS_116:CodeDeploy waits for its answer; a call that fails is not repeated later, the alarm tells it
  #checkov:skip=CKV_AWS_117:It reaches AWS only; inside the VPC it would need a NAT gateway
  #checkov:skip=CKV_AWS_173:Its variables are names, none is a secret
  #checkov:skip=CKV_AWS_272:Whoever may change it may change the servers too
  function_name    = "${var.name}-drain-hook"
  description      = "Drains the old servers of a deployment"
  role             = aws_iam_role.hook.arn
  runtime          = "nodejs22.x"
  architectures    = ["arm64"]
  handler          = "hook.handler"
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  memory_size      = 256
  # Asking takes 19 s at most, the end of the servers 48 s; longer than this no drain may take.
  timeout = 90

  environment {
    variables = {
      CLUSTER      = var.cluster.name
      SERVICE      = var.service.name
      PORT         = "3002"
      TOKEN_SECRET = var.drain_token_secret_arn
      ASK_FUNCTION = aws_lambda_function.ask.function_name
    }
  }

  depends_on = [aws_cloudwatch_log_group.functions, aws_iam_role_policy.hook]
}

# A second try would find the deployment further on.
resource "aws_lambda_function_event_invoke_config" "hook" {
  function_name          = aws_lambda_function.hook.function_name
  maximum_retry_attempts = 0
}

resource "aws_lambda_function" "ask" {
  #checkov:skip=CKV_AWS_50:A deploy calls it once; its caller's log says everything
  #checkov:skip=CKV_AWS_115:A deploy calls it once; a small account has nothing to reserve
  #checkov:skip=CKV_AWS_116:Its caller waits for the answer
  #checkov:skip=CKV_AWS_272:Whoever may change it may change the servers too
  function_name    = "${var.name}-drain-ask"
  description      = "Asks servers inside the VPC to drain"
  role             = aws_iam_role.ask.arn
  runtime          = "nodejs22.x"
  architectures    = ["arm64"]
  handler          = "ask.handler"
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  memory_size      = 128
  timeout          = 30

  vpc_config {
    subnet_ids         = var.private_subnets
    security_group_ids = [var.drain_security_group_id]
  }

  depends_on = [aws_cloudwatch_log_group.functions, aws_iam_role_policy_attachment.ask_network]
}

resource "aws_cloudwatch_metric_alarm" "drain_failed" {
  alarm_name          = "${var.name}-DrainFailed"
  alarm_description   = "The hook could not drain all old servers; ECS does it when it stops them. What to do: docs/operations.md#on-aws"
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = aws_lambda_function.hook.function_name }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
}
