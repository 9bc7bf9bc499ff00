# Nobody consents: a client signs in as itself (RFC 6749 §4.4). There is no
# refresh token; when the token ends, oauthctl asks again.

variable "okta_client_secret" {
  description = "Secret of the service app in Okta"
  type        = string
  sensitive   = true # never shown; give it as OAUTHCTL_VAR_okta_client_secret
}

provider "okta" {
  preset = "okta"
  domain = "acme.okta.com"
}

connection "inventory" {
  provider      = "okta"
  client_id     = "0oa1b2c3d4e5f6g7h8i9"
  client_secret = var.okta_client_secret
  scopes        = ["inventory.read"]

  grant "client_credentials" {}
}

# Some servers say what the token is for with a parameter of their own.
connection "billing" {
  provider      = "auth0"
  domain        = "acme.eu.auth0.com"
  client_id     = "AbCdEfGhIjKlMnOpQrStUvWxYz012345"
  client_secret = env("AUTH0_CLIENT_SECRET")
  audience      = "https://billing.acme.example/api"

  grant "client_credentials" {}
}

# One resource a token: Microsoft takes RESOURCE/.default here, and nothing else.
connection "graph_daemon" {
  provider      = "microsoft"
  tenant        = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490"
  client_id     = "11111111-2222-3333-4444-555555555555"
  client_secret = env("GRAPH_CLIENT_SECRET")
  scopes        = ["https://graph.microsoft.com/.default"]

  grant "client_credentials" {}
}
