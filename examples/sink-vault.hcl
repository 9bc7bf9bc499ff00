# A token in Vault or OpenBao, from where programs read it, and for the jobs of
# Gitea or Forgejo.

connection "graph" {
  provider      = "microsoft"
  client_id     = "11111111-2222-3333-4444-555555555555"
  scopes        = ["User.Read"]
  redirect_uris = ["http://localhost"]
}

# vault kv get -mount=secret -field=access_token ci/graph
sink "vault" "ci" {
  url   = "https://vault.acme.example:8200"
  mount = "secret"
  path  = "ci/graph"
  token = env("VAULT_TOKEN")
  secrets = {
    access_token = connection.graph.access_token
    account      = connection.graph.account
  }
}

sink "gitea" "deploy" {
  url        = "https://git.acme.example"
  repository = "acme/reports"
  token      = env("GITEA_ADMIN_TOKEN")
  secrets    = { GRAPH_TOKEN = connection.graph.access_token }
}
