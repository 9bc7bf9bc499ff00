package view

import (
	"slices"
	"strings"

	"github.com/oauthctl/oauthctl/engine/plan"
)

// changes is one change, or the instances of one block whose changes are the same.
type changes []*plan.Change

// Above this number of equal instances the details are shown once.
const foldAbove = 20

// group collects neighbours (changes come in address order) that say the same.
func group(all []plan.Change) []changes {
	var out []changes
	for i := 0; i < len(all); {
		first := &all[i]
		if first.Action == plan.NoOp {
			i++
			continue
		}
		g := changes{first}
		if first.Addr.Keyed {
			block, want := first.Addr.Block(), content(first)
			for j := i + 1; j < len(all) && all[j].Addr.Keyed && all[j].Addr.Block() == block && all[j].Action != plan.NoOp; j++ {
				if content(&all[j]) != want {
					break
				}
				g = append(g, &all[j])
			}
		}
		if len(g) > foldAbove {
			out = append(out, g)
		} else {
			for _, c := range g {
				out = append(out, changes{c})
			}
		}
		i += len(g)
	}
	return out
}

// content is all that is shown of a change except its address, the for_each key
// written as each.key.
func content(c *plan.Change) string {
	var b strings.Builder
	put := func(ss ...string) {
		for _, s := range ss {
			b.WriteString(template(c, s))
			b.WriteByte(0)
		}
		b.WriteByte(1)
	}
	put(string(c.Action), c.MovedFrom.String(), c.Way, c.WayReason, c.Provider, c.Title, c.Grant, c.RedirectURI, c.Account)
	for _, r := range c.Reasons {
		put(string(r))
	}
	put(c.ScopesAdded...)
	put(c.ScopesRemoved...)
	put(c.Scopes...)
	put(c.ScopesByRule...)
	put(c.Hosts...)
	put(c.TokenHosts...)
	put(c.Notes...)
	put(c.Unknown...)
	put(c.Access.String(), c.Refresh.String())
	for _, k := range settings(c) {
		put(k, c.Before[k], c.After[k])
	}
	for _, a := range c.DependsOn {
		put(a.String())
	}
	for _, flag := range []bool{c.NeedsUser, c.Replaces, c.Revocable} {
		if flag {
			b.WriteByte('1')
		} else {
			b.WriteByte('0')
		}
	}
	return b.String()
}

// template replaces the for_each key in s by a mark that stands for it.
func template(c *plan.Change, s string) string {
	if !c.Addr.Keyed || len(c.Addr.Key) < 2 {
		return s
	}
	return strings.ReplaceAll(s, c.Addr.Key, eachKey)
}

const eachKey = "${each.key}"

// settings are the names of the settings that differ.
func settings(c *plan.Change) []string {
	var names []string
	for k := range c.Before {
		names = append(names, k)
	}
	for k := range c.After {
		if _, ok := c.Before[k]; !ok {
			names = append(names, k)
		}
	}
	slices.Sort(names)
	return names
}
