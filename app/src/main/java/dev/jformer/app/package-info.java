/**
 * The command line. It holds no mathematics: it reads what the user asks for, calls the library and
 * shows the result.
 */
package dev.jformer.app;
