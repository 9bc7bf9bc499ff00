# Servers that have no preset.

# Its issuer is enough if it publishes a metadata document (OpenID Connect
# Discovery or RFC 8414). What the document says of the issuer is compared byte
# by byte with what stands here.
provider "acme" {
  title  = "Acme login"
  issuer = "https://login.acme.example"
}

# Without metadata the endpoints are written here. What is known of the server's
# ways makes refreshing safer: this one accepts a refresh token once, and
# forgives a repetition within 30 seconds.
provider "legacy" {
  title = "Legacy portal"

  authorization_endpoint = "https://portal.acme.example/oauth/authorize"
  token_endpoint         = "https://portal.acme.example/oauth/token"
  revocation_endpoint    = "https://portal.acme.example/oauth/revoke"

  client_auth     = ["client_secret_post"]
  scope_separator = ","

  redirect {
    fixed_port = true
  }
  token_lifetimes {
    access  = "30m"
    refresh = "60d"
  }
  rotation {
    kind  = "single_use"
    grace = "30s"
  }
  hint "access_denied" {
    match  = "not enrolled"
    cause  = "The account is not enrolled in the portal."
    remedy = "Ask the helpdesk for an enrolment."
    needs  = "administrator"
  }
}

# One description for many servers: every connection says which region it means.
provider "regional" {
  argument "region" {
    default = "eu"
    pattern = "eu|us|ap"
    doc     = "Region of the account."
    example = "us"
  }
  issuer = "https://${arg.region}.login.acme.example"
}

# Without redirect_uris the redirect URI has a path of the server's own, so that
# no other server can have its answers: http://127.0.0.1/callback/login.acme.example.
# The plan shows it, and it is what is registered.
connection "crm" {
  provider  = "acme"
  client_id = "crm-export"
  scopes    = ["openid", "offline_access", "crm.read"]
}

connection "portal" {
  provider      = "legacy"
  client_id     = "portal-sync"
  client_secret = env("PORTAL_CLIENT_SECRET")
  scopes        = ["orders", "invoices"]
  redirect_uris = ["http://127.0.0.1:8085/callback"]
}

connection "warehouse" {
  provider      = "regional"
  region        = "us"
  client_id     = "warehouse-sync"
  client_secret = env("WAREHOUSE_CLIENT_SECRET")
  scopes        = ["stock.read"]

  grant "client_credentials" {}
}
