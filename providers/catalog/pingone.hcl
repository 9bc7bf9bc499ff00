# PingOne environments.
# Source: https://developer.pingidentity.com/pingone-api/auth/openid-connect-oauth-2.html.
# Unverified: the issuer.

provider "pingone" {
  title = "PingOne"
  docs  = "https://developer.pingidentity.com/pingone-api/auth/openid-connect-oauth-2.html"

  argument "environment" {
    required = true
    pattern  = "[0-9a-fA-F-]{36}"
    doc      = "Id of the environment."
    example  = "5caa81af-ec05-41ff-a709-c7378007a99c"
  }
  argument "region" {
    default = "com"
    pattern = "com|eu|asia|ca|com\\.au|sg"
    doc     = "Last part of the host: com, eu, asia, ca, com.au, sg."
    example = "eu"
  }

  issuer                 = "https://auth.pingone.${arg.region}/${arg.environment}/as"
  discovery              = "auto"
  authorization_endpoint = "https://auth.pingone.${arg.region}/${arg.environment}/as/authorize"
  token_endpoint         = "https://auth.pingone.${arg.region}/${arg.environment}/as/token"
  revocation_endpoint    = "https://auth.pingone.${arg.region}/${arg.environment}/as/revoke"
  introspection_endpoint = "https://auth.pingone.${arg.region}/${arg.environment}/as/introspect"
  id_token               = true

  grants      = ["authorization_code", "client_credentials", "refresh_token"]
  client_auth = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]

  redirect {
    fixed_port = true
  }

  rotation {
    kind = "unknown"
  }
}
