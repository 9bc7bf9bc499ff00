# One connection may use what another one found out. oauthctl applies them in
# that order, and the plan says "known after apply" where it has to wait.

connection "graph" {
  provider      = "microsoft"
  client_id     = "11111111-2222-3333-4444-555555555555"
  scopes        = ["openid", "email", "User.Read"]
  redirect_uris = ["http://localhost"]
}

# The same person has to consent here: whoever signed in at Microsoft.
connection "tracker" {
  provider      = "atlassian"
  client_id     = "a1b2c3d4e5f6"
  client_secret = env("ATLASSIAN_CLIENT_SECRET")
  scopes        = ["read:me", "read:jira-work"]
  redirect_uris = ["http://127.0.0.1:8085/callback"]
  authorize_params = {
    login_hint = connection.graph.account
  }
}

# Nothing of it is used here, but it has to come first.
connection "archive" {
  provider      = "box"
  client_id     = "archive-job"
  client_secret = env("BOX_CLIENT_SECRET")
  redirect_uris = ["http://localhost:8086/callback"]
  depends_on    = [connection.tracker]
}

output "signed_in" {
  value = connection.graph.account
}
