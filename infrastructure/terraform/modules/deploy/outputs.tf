output "migration" {
  description = "Input of `aws ecs run-task`: makes the tables of this version."
  value = jsonencode({
    cluster              = var.cluster.name
    taskDefinition       = var.migrate_task_definition_arn
    launchType           = "FARGATE"
    platformVersion      = "LATEST"
    count                = 1
    networkConfiguration = { awsvpcConfiguration = local.network }
  })
}

output "names" {
  description = "What `cargo xtask deploy` is told: the parts of a deployment, and the network of the servers that come."
  value = {
    cluster     = var.cluster.name
    service     = var.service.name
    application = aws_codedeploy_app.this.name
    group       = aws_codedeploy_deployment_group.this.deployment_group_name
    hook        = aws_lambda_function.hook.arn
    network     = jsonencode({ awsvpcConfiguration = local.network })
  }
}
