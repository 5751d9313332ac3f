/** Repeats commands in one process and measures the memory that they leave. */
package dev.jformer.app.leak;
