# A job of GitHub Actions signs in without any secret: GitHub gives it an ID token,
# a new one for every request, and the server trusts that repository and branch.
#
#   permissions:
#     id-token: write
#
# docs/client-authentication.md says what to register.

connection "graph" {
  provider  = "microsoft"
  tenant    = "contoso.onmicrosoft.com"
  client_id = "11111111-2222-3333-4444-555555555555"
  scopes    = ["https://graph.microsoft.com/.default"]

  client_assertion {
    github_actions = true # for the audience api://AzureADTokenExchange, as Entra wants it
  }

  grant "client_credentials" {}
}

provider "acme" {
  issuer = "https://login.acme.example"
}

# Any other server that takes such tokens; it is their audience.
connection "deploy" {
  provider  = "acme"
  client_id = "deploy"
  scopes    = ["deploy"]

  client_assertion {
    github_actions = true
  }

  grant "client_credentials" {}
}
