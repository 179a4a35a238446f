//! The one integration test binary: everything that needs the program, sockets or the repository.

mod corpus;
mod peers;
