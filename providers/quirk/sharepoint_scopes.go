package quirk

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Successor is a permission that took the place of a scope alias in Microsoft
// Entra ID. Its resource is Office 365 SharePoint Online.
type Successor struct {
	Name  string // "AllSites.Read"
	ID    string // of the permission, a GUID
	Admin bool   // only an administrator can consent
}

// ScopeRow explains one scope alias with one right.
type ScopeRow struct {
	Scope  string // "Web.Read", in canonical case
	Alias  string // "Web"
	Right  string // "Read"
	URI    string // what add-in manifests write for the alias
	Rights []string
	// What the scope became: for a person who is signed in, and for an
	// application alone. Nil: nothing did.
	Delegated, Application *Successor
	Wider                  string // what the delegated successor grants beyond the alias; ""
	Narrower               string // what to do instead where that is too much; ""
	Caveat                 string // ""
}

// successors of one alias, by right.
type successors map[string]*Successor

// alias is a row of the table.
type alias struct {
	name, uri              string
	rights                 []string
	delegated, application successors
	wider, narrower        string
	caveat                 string
}

// rights in order: each contains those before it.
var ladder = []string{"Read", "Write", "Manage"}

const (
	projectOnline = "Project Online ended on 2026-09-30: the scope is for Project Server on premises"
	noFeature     = "the feature was retired"
	sitesSelected = "Sites.Selected, and an administrator gives the application a role on the one site"
)

// aliases are all that can be asked for, in the order of the vendor's table:
// https://learn.microsoft.com/sharepoint/dev/sp-add-ins/authorization-code-oauth-flow-for-sharepoint-add-ins#Scope.
// The successors are a proposal, after
// https://learn.microsoft.com/sharepoint/dev/sp-add-ins-modernize/from-acs-to-aad-apps.
var aliases = sync.OnceValue(func() []alias {
	// The permissions of Office 365 SharePoint Online, 00000003-0000-0ff1-ce00-000000000000.
	allSites := successors{
		"Read":   {"AllSites.Read", "4e0d77b0-96ba-4398-af14-3baa780278f4", false},
		"Write":  {"AllSites.Write", "640ddd16-e5b7-4d71-9690-3f4022699ee7", false},
		"Manage": {"AllSites.Manage", "b3f70a70-8a4b-4f95-9573-d71c496a53f4", false},
	}
	appSites := successors{
		"Read":   {"Sites.Read.All", "d13f72ca-a275-4b96-b789-48ebcc4da984", true},
		"Write":  {"Sites.ReadWrite.All", "fbcd29d2-fcca-4405-aded-518d457caae4", true},
		"Manage": {"Sites.Manage.All", "9bff6588-13f2-4c48-bbf2-ddab62256b36", true},
	}
	projects := successors{
		"Read":  {"Project.Read", "2beb830c-70d1-4f5b-a983-79cbdb0c6c6a", false},
		"Write": {"Project.Write", "d75a7b17-f04e-40d9-8e35-79b949bdb891", false},
	}
	return []alias{
		{
			name: "Site", uri: "http://sharepoint/content/sitecollection", rights: ladder, delegated: allSites, application: appSites,
			wider: "every site that the person can reach, instead of one site collection", narrower: sitesSelected,
		},
		{
			name: "Web", uri: "http://sharepoint/content/sitecollection/web", rights: ladder, delegated: allSites, application: appSites,
			wider: "every site that the person can reach, instead of one web", narrower: sitesSelected + "; a single sub-web cannot be expressed",
		},
		{
			name: "List", uri: "http://sharepoint/content/sitecollection/web/list", rights: ladder, delegated: allSites, application: appSites,
			wider:    "every site that the person can reach, instead of one list that the person chose",
			narrower: "Lists.SelectedOperations.Selected, and an administrator or owner gives the application a role on the one list",
		},
		{name: "AllSites", uri: "http://sharepoint/content/tenant", rights: ladder, delegated: allSites, application: appSites},
		{
			name: "Search", uri: "http://sharepoint/search", rights: []string{"QueryAsUserIgnoreAppPrincipal"},
			delegated:   successors{"QueryAsUserIgnoreAppPrincipal": {"Sites.Search.All", "1002502a-9a71-4426-8551-69ab83452fab", true}},
			application: successors{"QueryAsUserIgnoreAppPrincipal": appSites["Read"]},
		},
		{
			name: "ProjectAdmin", uri: "http://sharepoint/projectserver", rights: []string{"Manage"}, caveat: projectOnline,
			delegated: successors{"Manage": {"ProjectWebApp.FullControl", "e7e732bd-932b-45c4-8ce5-40d60a7daad9", true}},
			wider:     "full control of Project Web App, instead of Manage",
		},
		{name: "Projects", uri: "http://sharepoint/projectserver/projects", rights: ladder[:2], delegated: projects, caveat: projectOnline},
		{
			name: "Project", uri: "http://sharepoint/projectserver/projects/project", rights: ladder[:2], delegated: projects,
			wider: "every project, instead of one", caveat: projectOnline,
		},
		{
			name: "ProjectResources", uri: "http://sharepoint/projectserver/enterpriseresources", rights: ladder[:2], caveat: projectOnline,
			delegated: successors{
				"Read":  {"EnterpriseResource.Read", "b8341dab-4143-49da-8eb9-3d8c073f9e77", false},
				"Write": {"EnterpriseResource.Write", "2511a087-5795-4cae-9123-d5b7d6ec4844", false},
			},
		},
		{
			name: "ProjectStatusing", uri: "http://sharepoint/projectserver/statusing", rights: []string{"SubmitStatus"}, caveat: projectOnline,
			delegated: successors{"SubmitStatus": {"TaskStatus.Submit", "c4258712-0efb-41f1-b6bc-be58e4e32f3f", false}},
		},
		{
			name: "ProjectReporting", uri: "http://sharepoint/projectserver/reporting", rights: ladder[:1], caveat: projectOnline,
			delegated: successors{"Read": {"ProjectWebAppReporting.Read", "a4c14cd7-8bd6-4337-8e87-78623dfc023b", false}},
		},
		{name: "ProjectWorkflow", uri: "http://sharepoint/projectserver/workflow", rights: []string{"Elevate"}, caveat: projectOnline},
		{
			name: "AllProfiles", uri: "http://sharepoint/social/tenant", rights: ladder,
			delegated: successors{
				"Read":   {"User.Read.All", "0cea5a30-f6f8-42b5-87a0-84cc26822e02", true},
				"Write":  {"User.ReadWrite.All", "82866913-39a9-4be7-8091-f4fa781088ae", true},
				"Manage": {"User.ReadWrite.All", "82866913-39a9-4be7-8091-f4fa781088ae", true},
			},
			application: successors{
				"Read":   {"User.Read.All", "df021288-bdef-4463-88db-98f22de89214", true},
				"Write":  {"User.ReadWrite.All", "741f803b-c850-494e-b5df-cde7c675a1ca", true},
				"Manage": {"User.ReadWrite.All", "741f803b-c850-494e-b5df-cde7c675a1ca", true},
			},
			caveat: "profile properties that use term sets also need TermStore.ReadWrite.All",
		},
		{name: "Social", uri: "http://sharepoint/social/core", rights: ladder, caveat: noFeature},
		{name: "Microfeed", uri: "http://sharepoint/social/microfeed", rights: ladder, caveat: noFeature},
		{
			name: "TermStore", uri: "http://sharepoint/taxonomy", rights: ladder[:2],
			delegated: successors{
				"Read":  {"TermStore.Read.All", "a468ea40-458c-4cc2-80c4-51781af71e41", true},
				"Write": {"TermStore.ReadWrite.All", "59a198b5-0420-45a8-ae59-6da1cb640505", true},
			},
			application: successors{
				"Read":  {"TermStore.Read.All", "2a8d57a5-4090-4a41-bf1c-3c621d2ccad3", true},
				"Write": {"TermStore.ReadWrite.All", "c8e3537c-ec53-43b9-bed3-b2bd3617ae97", true},
			},
			caveat: "Microsoft recommends the taxonomy API of Graph",
		},
	}
})

// noAlias is the one URI of the vendor's table that never had an alias.
const noAlias = "http://sharepoint/bcs/connection"

func (a *alias) row(right string) ScopeRow {
	r := ScopeRow{
		Scope: a.name + "." + right, Alias: a.name, Right: right, URI: a.uri, Rights: slices.Clone(a.rights),
		Delegated: a.delegated[right], Application: a.application[right], Caveat: a.caveat,
	}
	if r.Delegated != nil {
		r.Wider, r.Narrower = a.wider, a.narrower
	}
	return r
}

// ScopeTable explains every scope alias with every right, in the vendor's order.
func ScopeTable() []ScopeRow {
	var rows []ScopeRow
	for i := range aliases() {
		for _, right := range aliases()[i].rights {
			rows = append(rows, aliases()[i].row(right))
		}
	}
	return rows
}

// ExplainScopes explains scope aliases, or scope URIs with a right, that stand
// in a text with spaces (or commas) between them. What a wider right contains is
// explained all the same. The error names what is unknown, and what there is.
func ExplainScopes(words string) ([]ScopeRow, error) {
	rows, problems := parseScopes(strings.FieldsFunc(words, func(r rune) bool { return r == ' ' || r == ',' || r == '\t' || r == '\n' }))
	if len(problems) > 0 {
		return nil, fmt.Errorf("%s: %s", lowerFirst(problems[0].Summary), problems[0].Detail)
	}
	return rows, nil
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// parseScopes reads aliases with rights and URIs with rights, without regard to
// case; repetitions are left out.
func parseScopes(words []string) ([]ScopeRow, []Finding) {
	var rows []ScopeRow
	var problems []Finding
	for i := 0; i < len(words); i++ {
		word, next := words[i], ""
		if i+1 < len(words) {
			next = words[i+1]
		}
		row, used, problem := parseScope(word, next)
		if used {
			i++
		}
		switch {
		case problem != nil:
			problems = append(problems, *problem)
		case !slices.ContainsFunc(rows, func(r ScopeRow) bool { return r.Scope == row.Scope }):
			rows = append(rows, row)
		}
	}
	return rows, problems
}

// parseScope reads one scope. used says that the next word was its right.
func parseScope(word, next string) (row ScopeRow, used bool, problem *Finding) {
	if strings.Contains(word, "://") {
		return parseScopeURI(word, next)
	}
	name, right, dotted := strings.Cut(word, ".")
	a := aliasNamed(name)
	switch {
	case a == nil:
		return ScopeRow{}, false, unknownAlias(word, name)
	case !dotted || right == "":
		return ScopeRow{}, false, badScope("Scope without a right", "%s needs a right: write %s.", a.name, a.choices())
	}
	row, problem = a.with(right)
	return row, false, problem
}

// with is the alias with a right, as somebody wrote it.
func (a *alias) with(right string) (ScopeRow, *Finding) {
	i := slices.IndexFunc(a.rights, func(r string) bool { return strings.EqualFold(r, right) })
	if i >= 0 {
		return a.row(a.rights[i]), nil
	}
	if strings.EqualFold(right, "FullControl") {
		return ScopeRow{}, badScope("Right that cannot be asked for",
			"An application that asks for consent while it runs cannot have FullControl; only an installed add-in, or an application that a farm administrator trusts by itself, can. The most that can be asked for is %s.",
			a.name+"."+a.rights[len(a.rights)-1])
	}
	return ScopeRow{}, badScope("Unknown right", "%s has no right %q.%s The server would ignore it silently. Write %s.",
		a.name, right, didYouMean(right, a.rights), a.choices())
}

// parseScopeURI reads a scope URI with its right behind ".", ":", "#" or "/", or
// as the next word. The vendor's page writes the URIs with https, an artefact of
// its editing; both are understood.
func parseScopeURI(word, next string) (row ScopeRow, used bool, problem *Finding) {
	uri := strings.ToLower(strings.TrimRight(word, "/"))
	if rest, ok := strings.CutPrefix(uri, "https://sharepoint/"); ok {
		uri = "http://sharepoint/" + rest
	}
	if uri == noAlias || strings.HasPrefix(uri, noAlias) && strings.ContainsAny(uri[len(noAlias):len(noAlias)+1], ".:#/") {
		return ScopeRow{}, isRight(next), badScope("Scope that cannot be asked for", "%s never had an alias: only an installed add-in can have it.", noAlias)
	}
	if a := aliasOf(uri); a != nil {
		if !isRight(next) {
			return ScopeRow{}, false, badScope("Scope without a right", "%s is %s, and needs a right: write %s.", a.uri, a.name, a.choices())
		}
		row, problem = a.with(next)
		return row, true, problem
	}
	if i := strings.LastIndexAny(uri, ".:#/"); i > 0 {
		if a := aliasOf(uri[:i]); a != nil {
			row, problem = a.with(uri[i+1:])
			return row, false, problem
		}
	}
	return ScopeRow{}, isRight(next), badScope("Unknown scope", "There is no scope %q. The scopes are %s.", word, aliasList())
}

func aliasNamed(name string) *alias {
	if i := slices.IndexFunc(aliases(), func(a alias) bool { return strings.EqualFold(a.name, name) }); i >= 0 {
		return &aliases()[i]
	}
	return nil
}

func aliasOf(uri string) *alias {
	if i := slices.IndexFunc(aliases(), func(a alias) bool { return a.uri == uri }); i >= 0 {
		return &aliases()[i]
	}
	return nil
}

// isRight reports a right, of whatever alias, or one that is often tried.
func isRight(word string) bool {
	known := []string{"FullControl", "QueryAsUserIgnoreAppPrincipal", "SubmitStatus", "Elevate"}
	return slices.ContainsFunc(append(known, ladder...), func(r string) bool { return strings.EqualFold(r, word) })
}

// choices lists an alias with each of its rights: "Web.Read, Web.Write or Web.Manage".
func (a *alias) choices() string {
	var list []string
	for _, r := range a.rights {
		list = append(list, a.name+"."+r)
	}
	if len(list) == 1 {
		return list[0]
	}
	return strings.Join(list[:len(list)-1], ", ") + " or " + list[len(list)-1]
}

// foreign are scopes that people bring along from other servers.
var foreign = []string{"openid", "profile", "email", "offline_access"}

func unknownAlias(word, name string) *Finding {
	if slices.Contains(foreign, word) {
		return badScope("Unknown scope", "%q belongs to OpenID Connect, which this server does not speak; a refresh token comes without being asked for. Remove it.", word)
	}
	var all []string
	for _, r := range ScopeTable() {
		all = append(all, r.Scope)
	}
	near := didYouMean(word, all)
	if near == "" {
		all = all[:0]
		for i := range aliases() {
			all = append(all, aliases()[i].name)
		}
		near = didYouMean(name, all)
	}
	return badScope("Unknown scope", "There is no scope %q, and the server would ignore it silently.%s The scopes are %s.", word, near, aliasList())
}

// aliasList names every alias with its rights.
func aliasList() string {
	var list []string
	for i := range aliases() {
		list = append(list, aliases()[i].name+"."+strings.Join(aliases()[i].rights, "|"))
	}
	return strings.Join(list, ", ")
}

func badScope(summary, format string, args ...any) *Finding {
	f := Errorf("scopes", summary, format, args...)
	return &f
}
