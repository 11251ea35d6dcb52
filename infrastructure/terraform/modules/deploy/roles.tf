data "aws_iam_policy_document" "codedeploy_assume" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["codedeploy.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "codedeploy" {
  name               = "${var.name}-codedeploy"
  assume_role_policy = data.aws_iam_policy_document.codedeploy_assume.json
}

data "aws_iam_policy_document" "codedeploy" {
  #checkov:skip=CKV_AWS_356:What only looks at balancers and alarms knows no resources
  statement {
    sid = "Servers"
    actions = [
      "ecs:DescribeServices",
      "ecs:CreateTaskSet",
      "ecs:DeleteTaskSet",
      "ecs:UpdateServicePrimaryTaskSet",
    ]
    resources = [
      var.service.arn,
      "arn:aws:ecs:${var.region}:${var.account_id}:task-set/${var.cluster.name}/${var.service.name}/*",
    ]
  }

  statement {
    sid       = "Traffic"
    actions   = ["elasticloadbalancing:ModifyListener"]
    resources = [var.listener_arn, var.test_listener_arn]
  }

  statement {
    sid = "Look"
    actions = [
      "elasticloadbalancing:DescribeListeners",
      "elasticloadbalancing:DescribeRules",
      "elasticloadbalancing:DescribeTargetGroups",
      "cloudwatch:DescribeAlarms",
    ]
    resources = ["*"]
  }

  statement {
    sid       = "Hook"
    actions   = ["lambda:InvokeFunction"]
    resources = [aws_lambda_function.hook.arn]
  }

  statement {
    sid       = "Roles"
    actions   = ["iam:PassRole"]
    resources = var.task_role_arns
    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs-tasks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "codedeploy" {
  name   = "deploy"
  role   = aws_iam_role.codedeploy.id
  policy = data.aws_iam_policy_document.codedeploy.json
}

resource "aws_iam_role" "hook" {
  name               = "${var.name}-drain-hook"
  assume_role_policy = data.aws_iam_policy_document.lambda.json
}

data "aws_iam_policy_document" "hook" {
  statement {
    sid = "Deployment"
    actions = [
      "codedeploy:BatchGetDeploymentTargets",
      "codedeploy:ListDeploymentTargets",
      "codedeploy:PutLifecycleEventHookExecutionStatus",
    ]
    resources = [
      "arn:aws:codedeploy:${var.region}:${var.account_id}:deploymentgroup:${aws_codedeploy_app.this.name}/*",
    ]
  }

  # Listing knows no tasks and no service, only a condition.
  statement {
    sid       = "ListTasks"
    actions   = ["ecs:ListTasks"]
    resources = ["*"]
    condition {
      test     = "ArnEquals"
      variable = "ecs:cluster"
      values   = [var.cluster.arn]
    }
  }

  statement {
    sid       = "Tasks"
    actions   = ["ecs:DescribeTasks"]
    resources = ["arn:aws:ecs:${var.region}:${var.account_id}:task/${var.cluster.name}/*"]
  }

  statement {
    sid       = "Token"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [var.drain_token_secret_arn]
  }

  statement {
    sid       = "Key"
    actions   = ["kms:Decrypt"]
    resources = [var.key_arn]
    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.${var.region}.amazonaws.com"]
    }
  }

  statement {
    sid       = "Ask"
    actions   = ["lambda:InvokeFunction"]
    resources = [aws_lambda_function.ask.arn]
  }

  statement {
    sid       = "Logs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.functions["hook"].arn}:*"]
  }
}

resource "aws_iam_role_policy" "hook" {
  name   = "drain"
  role   = aws_iam_role.hook.id
  policy = data.aws_iam_policy_document.hook.json
}

resource "aws_iam_role" "ask" {
  name               = "${var.name}-drain-ask"
  assume_role_policy = data.aws_iam_policy_document.lambda.json
}

# Its network interface and its log, nothing else.
resource "aws_iam_role_policy_attachment" "ask_network" {
  role       = aws_iam_role.ask.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
}
