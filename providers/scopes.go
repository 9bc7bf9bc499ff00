package providers

import "github.com/oauthctl/oauthctl/providers/quirk"

// ScopeRow explains one scope alias of a SharePoint farm: its URI, its rights,
// and what it became in Microsoft Entra ID.
type ScopeRow = quirk.ScopeRow

// Successor is a permission of Microsoft Entra ID that took the place of an alias.
type Successor = quirk.Successor

// ExplainScopes explains the scope aliases in a text such as "Web.Read
// List.Write", in any case; scope URIs with a right are understood too. The
// error says what is unknown, and what there is.
func ExplainScopes(words string) ([]ScopeRow, error) { return quirk.ExplainScopes(words) }

// ScopeTable explains every scope alias with every right.
func ScopeTable() []ScopeRow { return quirk.ScopeTable() }
