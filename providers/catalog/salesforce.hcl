# Salesforce: production, sandboxes and My Domain hosts.
# Sources: https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_endpoints.htm
# and id=sf.remoteaccess_oauth_jwt_flow.htm.
# Unverified: client assertions; a My Domain host as the audience of an assertion; the issuer; the access token's life, a session policy of often 2 hours.

provider "salesforce" {
  title = "Salesforce"
  docs  = "https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_endpoints.htm&type=5"

  argument "host" {
    default = "login.salesforce.com"
    pattern = "[A-Za-z0-9.-]+"
    doc     = "login.salesforce.com, test.salesforce.com for sandboxes, or your My Domain host."
    example = "acme.my.salesforce.com"
  }

  issuer                 = "https://${arg.host}"
  discovery              = "oidc"
  authorization_endpoint = "https://${arg.host}/services/oauth2/authorize"
  token_endpoint         = "https://${arg.host}/services/oauth2/token"
  revocation_endpoint    = "https://${arg.host}/services/oauth2/revoke"
  introspection_endpoint = "https://${arg.host}/services/oauth2/introspect"
  id_token               = true

  grants      = ["authorization_code", "client_credentials", "jwt_bearer", "refresh_token"]
  client_auth = ["client_secret_post", "private_key_jwt", "none"]

  client_assertion {
    algorithms = ["RS256"]
  }

  # The certificate of the key is registered with the app. The subject is the
  # name of the user, who was admitted to the app before.
  jwt_bearer {
    audience   = "issuer"
    algorithms = ["RS256"]
  }

  offline_scope    = "refresh_token"
  authorize_params = { prompt = "consent" }

  redirect {
    fixed_port    = true
    loopback_host = "localhost"
  }

  # Answers never say how long a token lives; they say where the API is
  # (instance_url), which is kept.
  token_lifetimes {
    access = "2h"
  }

  # Rotation is a setting of the app.
  rotation {
    kind = "unknown"
  }

  hint "invalid_grant" {
    match  = "expired access/refresh token"
    cause  = "The refresh token was revoked, or pushed out by newer ones: an app holds five for each user."
    remedy = "Consent again: oauthctl apply."
    needs  = "person"
  }
  hint "invalid_client_id" {
    cause  = "Salesforce does not know the client; a new app takes up to ten minutes to be known everywhere."
    remedy = "Check client_id and host, or wait and try again."
    needs  = "configuration"
  }
}
