# Two connections: one that a person consents to, and one between machines.
#
# Try it without any account; the sandbox plays both servers:
#
#   oauthctl init
#   oauthctl plan  -sandbox -config=examples/quickstart.hcl
#   oauthctl apply -sandbox -config=examples/quickstart.hcl
#   oauthctl token -sandbox graph
#
# Leave out -sandbox, and put in a client id of yours, to do it for real.

# A person signs in at Microsoft and consents to these scopes. The preset knows
# the endpoints, adds the scope that gives a refresh token, and uses PKCE.
connection "graph" {
  provider      = "microsoft"
  client_id     = "11111111-2222-3333-4444-555555555555"
  scopes        = ["User.Read", "Files.ReadWrite.All"]
  redirect_uris = ["http://localhost"] # a free port is chosen
}

# Nobody is needed here: the client signs in as itself. Secrets never stand in a
# configuration. In the sandbox a missing one is made up, and the plan says so.
connection "reports" {
  provider      = "acme"
  client_id     = "reports-job"
  client_secret = env("ACME_CLIENT_SECRET")
  scopes        = "reports:read reports:write"
  grant "client_credentials" {}
}

# A server that oauthctl has no preset for: its issuer is enough, the rest is
# discovered.
provider "acme" {
  issuer = "https://login.acme.example"
}

output "graph_expires_at" {
  value = connection.graph.expires_at
}
