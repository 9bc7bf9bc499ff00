package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/state"
)

func TestExitCode(t *testing.T) {
	failed := func(class engine.Class, err error) error { return &engine.Error{Class: class, Doing: "x", Err: err} }
	flow := func(kind grant.Kind) error { return &grant.Error{Kind: kind, Doing: "x"} }
	for _, tt := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("x"), 1},
		{&shownError{exitChanges}, 2},
		{failed(engine.ClassError, errors.New("x")), 1},
		{failed(engine.ClassNeedsUser, errors.New("x")), 3},
		{failed(engine.ClassTemporary, errors.New("x")), 4},
		{failed(engine.ClassState, errors.New("x")), 5},
		{fmt.Errorf("wrapped: %w", failed(engine.ClassState, errors.New("x"))), 5},
		{failed(engine.ClassError, flow(grant.Interrupted)), 130},
		{flow(grant.NeedsUser), 3},
		{flow(grant.Denied), 1},
		{flow(grant.Expired), 3},
		{flow(grant.Rejected), 3},
		{flow(grant.Config), 1},
		{flow(grant.Temporary), 4},
		{flow(grant.Protocol), 1},
		{flow(grant.Account), 1},
		{fmt.Errorf("x: %w", state.ErrNoKey), 5},
		{fmt.Errorf("x: %w", state.ErrTampered), 5},
		{fmt.Errorf("x: %w", state.ErrRollback), 5},
		{fmt.Errorf("x: %w", state.ErrFormat), 5},
		{fmt.Errorf("x: %w", state.ErrPlace), 5},
		{fmt.Errorf("x: %w", state.ErrUnwritable), 1},
		{fmt.Errorf("x: %w", state.ErrBusy), 4},
		{fmt.Errorf("x: %w", state.ErrConflict), 4},
		{fmt.Errorf("x: %w", state.ErrNotFound), 1},
		{fmt.Errorf("x: %w", context.Canceled), 130},
	} {
		if got := exitCode(context.Background(), tt.err); got != tt.want {
			t.Errorf("exitCode(%#v) = %d, want %d", tt.err, got, tt.want)
		}
	}
	interrupted, cancel := context.WithCancel(context.Background())
	cancel()
	if got := exitCode(interrupted, errors.New("x")); got != exitInterrupted {
		t.Errorf("an error after Ctrl-C: %d, want %d", got, exitInterrupted)
	}
}

func TestOutcomeCode(t *testing.T) {
	done := engine.Result{State: engine.Done}
	waiting := engine.Result{State: engine.Waiting}
	failed := func(class engine.Class) engine.Result {
		return engine.Result{State: engine.Failed, Err: &engine.Error{Class: class, Doing: "x", Err: errors.New("x")}}
	}
	for _, tt := range []struct {
		name    string
		results []engine.Result
		want    int
	}{
		{"nothing to do", nil, 0},
		{"all done", []engine.Result{done, done}, 0},
		{"one waits", []engine.Result{done, waiting}, 3},
		{"one failed, one waits", []engine.Result{failed(engine.ClassError), waiting}, 1},
		{"the network failed, one waits", []engine.Result{failed(engine.ClassTemporary), waiting}, 3},
		{"the network failed", []engine.Result{failed(engine.ClassTemporary), done}, 4},
		{"the state broke", []engine.Result{failed(engine.ClassError), failed(engine.ClassState)}, 5},
	} {
		if got := outcomeCode(context.Background(), &engine.Outcome{Results: tt.results}); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

// The page for people and the table of the program say the same.
func TestExitCodesPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/exit-codes.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`(?m)^\| (\d+) \| (.*) \| (.*) \|$`)
	rows := row.FindAllStringSubmatch(string(page), -1)
	if len(rows) != len(exitTable) {
		t.Fatalf("docs/exit-codes.md has %d rows, the program %d codes", len(rows), len(exitTable))
	}
	for i, want := range exitTable {
		if code, _ := strconv.Atoi(rows[i][1]); code != want.Code || rows[i][2] != want.Meaning || rows[i][3] != want.WhatToDo {
			t.Errorf("docs/exit-codes.md says %s\nthe program says | %d | %s | %s |", strings.TrimSpace(rows[i][0]), want.Code, want.Meaning, want.WhatToDo)
		}
	}
}
