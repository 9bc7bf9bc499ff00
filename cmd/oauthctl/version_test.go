package main

import "testing"

func TestLanguageVersion(t *testing.T) {
	defer func(v string) { version = v }(version)
	for described, want := range map[string]string{
		"v1.2.3":                 "1.2.3",
		"1.2.3":                  "1.2.3",
		"v1.2.3-4-gabc123-dirty": "1.2.3",
		"abc1234":                baseVersion,
		"0.1.0-dev":              "0.1.0",
		"dev":                    baseVersion,
	} {
		if version = described; languageVersion() != want {
			t.Errorf("%s is version %s, want %s", described, languageVersion(), want)
		}
	}
}
