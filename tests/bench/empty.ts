/** The floor of every figure of a whole process: what Deno itself takes to start and to end. */
export {};
