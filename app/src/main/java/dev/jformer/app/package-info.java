/** The entry point of the command line; see {@link dev.jformer.app.command} for the commands. */
package dev.jformer.app;
