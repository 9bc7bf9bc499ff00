# Tokens as secrets of GitHub Actions. Whoever can consent applies this once with
# a browser; from then on a scheduled job runs "oauthctl apply -input=false
# -auto-approve": it renews what is due and publishes it, and needs nobody.

variable "github_token" {
  description = "Fine-grained token with the right Secrets: read and write"
  type        = string
  sensitive   = true # never shown; give it as OAUTHCTL_VAR_github_token
}

connection "graph" {
  provider      = "microsoft"
  client_id     = "11111111-2222-3333-4444-555555555555"
  scopes        = ["User.Read", "Files.ReadWrite.All"]
  redirect_uris = ["http://localhost"]
}

sink "github_actions" "deploy" {
  repository  = "octo/app"
  environment = "production"
  token       = var.github_token
  secrets = {
    GRAPH_TOKEN   = connection.graph.access_token
    GRAPH_EXPIRES = connection.graph.expires_at
  }
}

# The same for all private repositories of the organization.
sink "github_actions" "everywhere" {
  organization = "octo"
  token        = var.github_token
  secrets      = { GRAPH_TOKEN = connection.graph.access_token }
}
