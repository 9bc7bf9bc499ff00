# Auth0 tenants and custom domains.
# Source: https://auth0.com/docs/api/authentication.
# Unverified: the device endpoint; access tokens for custom APIs live for 24 hours
# by default; that the port of a loopback redirect URI is compared.

provider "auth0" {
  title = "Auth0"
  docs  = "https://auth0.com/docs/api/authentication"

  argument "domain" {
    required = true
    pattern  = "[A-Za-z0-9.-]+"
    doc      = "Domain of the tenant, or its custom domain."
    example  = "acme.eu.auth0.com"
  }

  issuer                 = "https://${arg.domain}/" # the slash belongs to it
  discovery              = "oidc"
  authorization_endpoint = "https://${arg.domain}/authorize"
  token_endpoint         = "https://${arg.domain}/oauth/token"
  device_endpoint        = "https://${arg.domain}/oauth/device/code"
  revocation_endpoint    = "https://${arg.domain}/oauth/revoke" # takes refresh tokens
  id_token               = true

  grants      = ["authorization_code", "device_code", "client_credentials", "refresh_token"]
  client_auth = ["client_secret_post", "client_secret_basic", "private_key_jwt", "none"]
  pkce        = "supported"

  # auth0.com/docs/get-started/authentication-and-authorization-flow/authenticate-with-private-key-jwt
  client_assertion {
    audience   = "issuer"
    algorithms = ["RS256", "RS384", "PS256"]
  }

  offline_scope = "offline_access"

  redirect {
    fixed_port = true
  }

  token_lifetimes {
    access = "1d"
  }

  # If rotation is on, a reuse ends the whole family; the "reuse interval" of the
  # application is the grace, and can be set here.
  rotation {
    kind         = "unknown"
    blast_radius = "grant"
  }

  hint "access_denied" {
    match  = "service not found"
    cause  = "The audience is not the identifier of an API of this tenant."
    remedy = "Set audience to the identifier of the API, under Applications, APIs."
    needs  = "configuration"
  }
  hint "unauthorized_client" {
    cause  = "The grant is not enabled for this application."
    remedy = "Enable it under the application's Advanced Settings, Grant Types."
    needs  = "configuration"
  }
  hint "invalid_request" {
    match  = "callback url mismatch"
    cause  = "The redirect URI is not one of the Allowed Callback URLs."
    remedy = "Add the redirect URI that the plan shows to the application's Allowed Callback URLs."
    needs  = "configuration"
  }
  hint "invalid_grant" {
    match  = "unknown or invalid refresh token"
    cause  = "The refresh token has expired, was revoked, or was used before."
    remedy = "Consent again: oauthctl apply."
    needs  = "person"
  }
}
