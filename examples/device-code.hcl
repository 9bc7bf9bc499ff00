# A person consents on another device: oauthctl shows a code and an address, and
# a QR code where the terminal has room (RFC 8628). Made for servers, containers
# and everything else without a browser.

connection "github" {
  provider  = "github"
  client_id = "Ov23li0123456789abcd"
  scopes    = ["repo", "read:org"]

  grant "device_code" {}
}

connection "graph" {
  provider  = "microsoft"
  tenant    = "contoso.onmicrosoft.com"
  client_id = "11111111-2222-3333-4444-555555555555"
  scopes    = ["User.Read", "Mail.Read"]

  grant "device_code" {
    timeout = "10m" # the server's code may end earlier
  }
}
