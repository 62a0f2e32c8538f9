"""The whole platform on one machine: real embedded servers, a supervisor and a path router."""
