/**
 * Classes of functions that models learn in context, from examples in the prompt, and the classical
 * solvers to compare them with.
 */
package dev.jformer.data.incontext;
