/**
 * The commands. They hold no mathematics: a command reads options, calls the library, and prints
 * the result, which is a record.
 */
package dev.jformer.app.command;
