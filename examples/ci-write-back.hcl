# The write-back: jobs that keep nothing between runs, and a server that takes each
# refresh token once. A person applies this once with a browser. The state goes to
# the secrets of the jobs, sealed; a scheduled job renews what is due and publishes
# the new state for the next one. docs/ci.md has the workflow.

connection "graph" {
  provider      = "microsoft"
  client_id     = "11111111-2222-3333-4444-555555555555"
  scopes        = ["User.Read", "offline_access"]
  redirect_uris = ["http://localhost"]
}

# The token is a fine-grained one with Secrets and Environments: read and write.
sink "github_actions" "next" {
  repository  = "octo/app"
  environment = "tokens" # of an environment: such secrets are read when a job starts
  token       = env("SECRETS_TOKEN")
  state       = "OAUTHCTL_STATE"
}
