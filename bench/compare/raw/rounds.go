package main

import "slices"

// medians joins what the same cells were in several rounds: of each figure the median, so that a slow quarter of an
// hour of the machine, which meets all servers or only some, counts for little.
func medians(rounds [][]Cell) []Cell {
	joined := []Cell{}
	for i, first := range rounds[0] {
		of := func(figure func(Cell) float64) float64 {
			values := []float64{}
			for _, cells := range rounds {
				values = append(values, figure(cells[i]))
			}
			return median(values)
		}
		cell := Cell{Server: first.Server, Activities: first.Activities, InFlight: first.InFlight}
		cell.Resident = int64(of(func(c Cell) float64 { return float64(c.Resident) }))
		cell.PerSecond = of(func(c Cell) float64 { return c.PerSecond })
		cell.StartP50 = of(func(c Cell) float64 { return c.StartP50 })
		cell.StartP99 = of(func(c Cell) float64 { return c.StartP99 })
		cell.P50 = of(func(c Cell) float64 { return c.P50 })
		cell.P99 = of(func(c Cell) float64 { return c.P99 })
		cell.ServerMilliseconds = of(func(c Cell) float64 { return c.ServerMilliseconds })
		cell.LoadMilliseconds = of(func(c Cell) float64 { return c.LoadMilliseconds })
		for _, cells := range rounds {
			cell.Workflows += cells[i].Workflows
			cell.Failures += cells[i].Failures
		}
		joined = append(joined, cell)
	}
	return joined
}

// median of values of which there is at least one; of an even number the mean of the two in the middle.
func median(values []float64) float64 {
	slices.Sort(values)
	half := len(values) / 2
	if len(values)%2 == 1 {
		return values[half]
	}
	return (values[half-1] + values[half]) / 2
}
