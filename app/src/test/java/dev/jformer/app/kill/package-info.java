/**
 * Kills commands at random moments, continues them, and compares what they leave with what commands
 * leave that were never killed.
 */
package dev.jformer.app.kill;
