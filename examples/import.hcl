# A refresh token that another program has becomes a connection: nobody consents
# again. It must have been given to this client.
#
#   OLD_TOKEN="$(cat token.txt)" oauthctl apply
#
# Once it is in the state, the block does nothing, and OLD_TOKEN is not needed any
# more. The same for one connection, with the token from stdin:
#
#   oauthctl import calendar < token.txt

connection "calendar" {
  provider      = "google"
  client_id     = "123.apps.googleusercontent.com"
  client_secret = env("GOOGLE_CLIENT_SECRET")
  scopes        = ["openid", "email", "https://www.googleapis.com/auth/calendar.readonly"]
  redirect_uris = ["http://127.0.0.1/callback"]
  account       = "alice@example.com" # the token has to be hers
}

import {
  to            = connection.calendar
  refresh_token = env("OLD_TOKEN")
}
