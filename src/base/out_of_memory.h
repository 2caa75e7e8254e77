#pragma once

// What happens when there is no memory left. Whoever unwinds from the middle of a change leaves state
// behind that nobody has thought of, so an allocation that fails ends the process, as a crash would; what
// was acknowledged is on the disk.
namespace stele {

/// From now on an operator new that finds no memory says so on standard error and aborts, instead of
/// throwing std::bad_alloc. For the program, not for a library: it holds for the whole process.
void end_process_when_out_of_memory();

}  // namespace stele
