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

output "deployment" {
  description = "Input of `aws deploy create-deployment`: replaces the servers."
  value = jsonencode({
    applicationName     = aws_codedeploy_app.this.name
    deploymentGroupName = aws_codedeploy_deployment_group.this.deployment_group_name
    revision = {
      revisionType   = "AppSpecContent"
      appSpecContent = { content = local.appspec, sha256 = sha256(local.appspec) }
    }
  })
}
