# Clients without a shared secret: a key with a certificate, and a token that the
# platform issues. Both sign in with a signed JWT, made or read for each request.
#
#   APP_KEY_PEM="$(cat app.key)" oauthctl apply
#
# docs/client-authentication.md shows how to make and register the key.

# The server knows the certificate; the private key stays here.
connection "certificate" {
  provider  = "microsoft"
  tenant    = "contoso.onmicrosoft.com"
  client_id = "11111111-2222-3333-4444-555555555555"
  scopes    = ["https://graph.microsoft.com/.default"]

  client_assertion {
    private_key = env("APP_KEY_PEM") # with the certificate in the same PEM text
  }

  grant "client_credentials" {}
}

# Nothing is kept at all: Kubernetes writes a fresh token to the file.
connection "workload" {
  provider  = "microsoft"
  tenant    = "contoso.onmicrosoft.com"
  client_id = "11111111-2222-3333-4444-555555555555"
  scopes    = ["https://graph.microsoft.com/.default"]

  client_assertion {
    token_file = "/var/run/secrets/tokens/azure"
  }

  grant "client_credentials" {}
}

# A person consents, and every token request is signed with the client's key.
connection "person" {
  provider      = "okta"
  domain        = "contoso.okta.com"
  client_id     = "0oaexampleclientid"
  scopes        = ["openid", "offline_access"]
  redirect_uris = ["http://localhost:8085/callback"]

  client_assertion {
    private_key = env("OKTA_KEY_PEM")
    key_id      = "2026-01"
  }
}
