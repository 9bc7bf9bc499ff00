# Okta: the org authorization server, "default", or a custom one.
# Sources: https://developer.okta.com/docs/reference/api/oidc/;
# https://developer.okta.com/docs/guides/set-up-token-exchange/;
# https://support.okta.com/help/s/article/openid-connect-oidc-redirect-uri (ports are compared).
# Unverified: the device endpoint; access tokens live for 1 hour by default.

provider "okta" {
  title = "Okta"
  docs  = "https://developer.okta.com/docs/reference/api/oidc/"

  argument "domain" {
    required = true
    pattern  = "[A-Za-z0-9.-]+"
    doc      = "Your Okta domain."
    example  = "dev-123456.okta.com"
  }
  argument "authorization_server" {
    default = "default"
    pattern = "[A-Za-z0-9_-]*"
    doc     = "Id of a custom authorization server; the empty string is the org server."
    example = "aus9o8wzkhckw9TLa0h7"
  }

  issuer                 = "https://${arg.domain}${arg.authorization_server == "" ? "" : "/oauth2/${arg.authorization_server}"}"
  discovery              = "oidc"
  authorization_endpoint = "https://${arg.domain}/oauth2/${arg.authorization_server == "" ? "" : "${arg.authorization_server}/"}v1/authorize"
  token_endpoint         = "https://${arg.domain}/oauth2/${arg.authorization_server == "" ? "" : "${arg.authorization_server}/"}v1/token"
  device_endpoint        = "https://${arg.domain}/oauth2/${arg.authorization_server == "" ? "" : "${arg.authorization_server}/"}v1/device/authorize"
  revocation_endpoint    = "https://${arg.domain}/oauth2/${arg.authorization_server == "" ? "" : "${arg.authorization_server}/"}v1/revoke"
  introspection_endpoint = "https://${arg.domain}/oauth2/${arg.authorization_server == "" ? "" : "${arg.authorization_server}/"}v1/introspect"
  id_token               = true

  grants      = ["authorization_code", "device_code", "client_credentials", "token_exchange", "refresh_token"]
  client_auth = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]
  pkce        = "supported"

  # developer.okta.com/docs/guides/build-self-signed-jwt
  client_assertion {
    audience   = "token_endpoint"
    algorithms = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]
  }

  offline_scope = "offline_access"

  redirect {
    fixed_port = true
  }

  token_lifetimes {
    access = "1h"
  }

  # Rotation is a setting of the application; its grace period is 30 seconds if
  # nobody changed it. A reuse after that ends the newest refresh token too.
  rotation {
    kind         = "unknown"
    grace        = "30s"
    blast_radius = "grant"
  }

  hint "invalid_client" {
    cause  = "Okta does not know the client on this authorization server, or its authentication failed."
    remedy = "Check domain, client_id, client_secret and the application's \"Client authentication\"."
    needs  = "configuration"
  }
  hint "access_denied" {
    match  = "policy"
    cause  = "No access policy of the authorization server allows this client, user or scope."
    remedy = "Ask an administrator for an access policy rule, under Security, API, Authorization Servers."
    needs  = "administrator"
  }
  hint "access_denied" {
    match  = "not assigned"
    cause  = "The user is not assigned to the application."
    remedy = "Ask an administrator to assign the user."
    needs  = "administrator"
  }
  hint "invalid_scope" {
    cause  = "A scope is not defined on this authorization server."
    remedy = "Define the scope under Security, API, Authorization Servers, or set authorization_server."
    needs  = "configuration"
  }
}
