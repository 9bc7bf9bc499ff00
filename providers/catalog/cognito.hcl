# Amazon Cognito user pools. The issuer is on another host than the endpoints.
# Sources: https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html
# revocation-endpoint.html and userinfo-endpoint.html.

provider "cognito" {
  title = "Amazon Cognito"
  docs  = "https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html"

  argument "domain" {
    required = true
    pattern  = "[A-Za-z0-9.-]+"
    doc      = "Domain of the user pool."
    example  = "acme.auth.eu-central-1.amazoncognito.com"
  }
  argument "region" {
    required = true
    pattern  = "[a-z0-9-]+"
    doc      = "AWS region of the user pool."
    example  = "eu-central-1"
  }
  argument "user_pool" {
    required = true
    pattern  = "[a-z0-9-]+_[A-Za-z0-9]+"
    doc      = "Id of the user pool."
    example  = "eu-central-1_Ab12Cd34E"
  }

  issuer                 = "https://cognito-idp.${arg.region}.amazonaws.com/${arg.user_pool}"
  discovery              = "oidc"
  authorization_endpoint = "https://${arg.domain}/oauth2/authorize"
  token_endpoint         = "https://${arg.domain}/oauth2/token"
  revocation_endpoint    = "https://${arg.domain}/oauth2/revoke" # takes refresh tokens only
  userinfo_endpoint      = "https://${arg.domain}/oauth2/userInfo"
  id_token               = true

  grants      = ["authorization_code", "client_credentials", "refresh_token"]
  client_auth = ["client_secret_basic", "none"]
  pkce        = "supported" # S256 works although the metadata does not say so

  redirect {
    fixed_port    = true
    loopback_host = "localhost"
  }

  token_lifetimes {
    access = "1h"
  }

  # Rotation is a setting of the app client, with a grace of 0 to 60 seconds.
  rotation {
    kind = "unknown"
  }
}
