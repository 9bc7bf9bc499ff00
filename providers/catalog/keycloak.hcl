# Keycloak and Red Hat build of Keycloak.
# Sources: https://www.keycloak.org/securing-apps/oidc-layers and
# /securing-apps/token-exchange (since version 26.2, to be allowed for each client).
# Unverified: access tokens live for 5 minutes by default; the name of the setting
# "Revoke Refresh Token".

provider "keycloak" {
  title = "Keycloak"
  docs  = "https://www.keycloak.org/securing-apps/oidc-layers"

  argument "base_url" {
    required = true
    pattern  = "https?://[^?#]*[^?#/]"
    doc      = "Where Keycloak runs, without a slash at the end; before version 17 with /auth."
    example  = "https://id.acme.example"
  }
  argument "realm" {
    required = true
    pattern  = "[A-Za-z0-9._-]+"
    doc      = "Name of the realm."
    example  = "acme"
  }

  issuer                 = "${arg.base_url}/realms/${arg.realm}"
  discovery              = "oidc"
  authorization_endpoint = "${arg.base_url}/realms/${arg.realm}/protocol/openid-connect/auth"
  token_endpoint         = "${arg.base_url}/realms/${arg.realm}/protocol/openid-connect/token"
  device_endpoint        = "${arg.base_url}/realms/${arg.realm}/protocol/openid-connect/auth/device"
  revocation_endpoint    = "${arg.base_url}/realms/${arg.realm}/protocol/openid-connect/revoke"
  introspection_endpoint = "${arg.base_url}/realms/${arg.realm}/protocol/openid-connect/token/introspect"
  userinfo_endpoint      = "${arg.base_url}/realms/${arg.realm}/protocol/openid-connect/userinfo"
  jwks_uri               = "${arg.base_url}/realms/${arg.realm}/protocol/openid-connect/certs"
  id_token               = true

  grants      = ["authorization_code", "device_code", "client_credentials", "token_exchange", "refresh_token"]
  client_auth = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]
  pkce        = "supported"

  # Since Keycloak 26.2 one audience only, and the issuer for choice:
  # keycloak.org/docs/latest/upgrading ("JWT client authentication").
  client_assertion {
    audience = "issuer"
  }

  # A refresh token is given always and ends with the session; for one that
  # outlives it, add the scope offline_access.

  token_lifetimes {
    access = "5m"
  }

  # With "Revoke Refresh Token" on: single use, and a reuse ends the session.
  rotation {
    kind         = "unknown"
    blast_radius = "grant"
  }

  hint "invalid_grant" {
    match  = ["token is not active", "session not active"]
    cause  = "The session has ended."
    remedy = "Consent again: oauthctl apply. For tokens that outlive the session add the scope offline_access."
    needs  = "person"
  }
  hint "invalid_grant" {
    match  = "maximum allowed refresh token reuse exceeded"
    cause  = "The refresh token was used before."
    remedy = "Consent again: oauthctl apply."
    needs  = "person"
  }
  hint "unauthorized_client" {
    match  = "invalid client or invalid client credentials"
    cause  = "The realm does not know the client, or its secret is wrong."
    remedy = "Check realm, client_id and client_secret."
    needs  = "configuration"
  }
  hint "unauthorized_client" {
    match  = "service account"
    cause  = "The client has no service account, which client credentials need."
    remedy = "Switch on \"Service accounts roles\" in the client's settings."
    needs  = "configuration"
  }
}
