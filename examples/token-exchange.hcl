# One connection feeds another: its token is presented, and another one given for
# it. The plan puts them in order, and so does every renewal; nobody is asked for
# what is exchanged.

provider "acme" {
  issuer = "https://login.acme.example"
}

connection "gateway" {
  provider      = "acme"
  client_id     = "gateway"
  client_secret = env("GATEWAY_SECRET")
  scopes        = ["orders.read", "orders.write"]

  grant "client_credentials" {}
}

# The same rights, cut down for one service (RFC 8693).
connection "orders" {
  provider      = "acme"
  client_id     = "gateway"
  client_secret = env("GATEWAY_SECRET")
  scopes        = ["orders.read"]

  grant "token_exchange" {
    subject_token = connection.gateway.access_token
    audience      = ["orders"]
  }
}

# The ID token that the CI system gives to a job (GitLab: id_tokens).
connection "deploy" {
  provider      = "acme"
  client_id     = "deploy"
  client_secret = env("DEPLOY_SECRET")
  scopes        = ["deploy"]

  grant "token_exchange" {
    subject_token_env = "DEPLOY_ID_TOKEN"
  }
}

# A person signs in to the application …
connection "app" {
  provider      = "microsoft"
  tenant        = "contoso.onmicrosoft.com"
  client_id     = "11111111-2222-3333-4444-555555555555"
  client_secret = env("APP_SECRET")
  scopes        = ["api://11111111-2222-3333-4444-555555555555/access"]
  redirect_uris = ["http://localhost"]
}

# … which calls Microsoft Graph on behalf of that person.
connection "graph" {
  provider      = "microsoft"
  tenant        = "contoso.onmicrosoft.com"
  client_id     = "11111111-2222-3333-4444-555555555555"
  client_secret = env("APP_SECRET")
  scopes        = ["User.Read"]

  grant "jwt_bearer" {
    assertion = connection.app.access_token
  }
}
