package main

import "testing"

func TestOfEachFigureTheMedianIsTaken(t *testing.T) {
	rounds := [][]Cell{
		{{Server: "a", PerSecond: 10, ServerMilliseconds: 3, Workflows: 5}, {Server: "b", PerSecond: 1}},
		{{Server: "a", PerSecond: 30, ServerMilliseconds: 1, Workflows: 5}, {Server: "b", PerSecond: 3}},
		{{Server: "a", PerSecond: 20, ServerMilliseconds: 2, Workflows: 5}, {Server: "b", PerSecond: 8}},
	}
	joined := medians(rounds)
	if len(joined) != 2 || joined[0].Server != "a" || joined[1].Server != "b" {
		t.Fatalf("the cells are %v", joined)
	}
	if a := joined[0]; a.PerSecond != 20 || a.ServerMilliseconds != 2 || a.Workflows != 15 {
		t.Errorf("of a: %v", a)
	}
	if joined := medians(rounds[:2]); joined[1].PerSecond != 2 {
		t.Errorf("of two rounds: %v", joined[1])
	}
}
