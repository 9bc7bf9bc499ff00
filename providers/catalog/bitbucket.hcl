# Bitbucket Cloud OAuth consumers.
# Sources: https://developer.atlassian.com/cloud/bitbucket/oauth-2/ and rest/api-group-users/;
# https://community.developer.atlassian.com/t/99003 (rotation since 2026-05-04).
# Unverified: PKCE; that scopes are fixed on the consumer; that the userinfo endpoint tells a name to compare.

provider "bitbucket" {
  title = "Bitbucket Cloud"
  docs  = "https://developer.atlassian.com/cloud/bitbucket/oauth-2/"

  authorization_endpoint = "https://bitbucket.org/site/oauth2/authorize"
  token_endpoint         = "https://bitbucket.org/site/oauth2/access_token"
  userinfo_endpoint      = "https://api.bitbucket.org/2.0/user"

  grants      = ["authorization_code", "client_credentials", "refresh_token"]
  client_auth = ["client_secret_basic", "client_secret_post"]

  # A redirect URI may only extend the callback URL of the consumer.
  redirect {
    fixed_port = true
  }

  token_lifetimes {
    access  = "2h"
    refresh = "90d" # three months without use
  }

  rotation {
    kind = "single_use"
  }

  revocation_note = "Revoke the app under Personal settings, App authorizations."
}
