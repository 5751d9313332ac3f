/**
 * Problems that algorithms solve, as endless sources of examples: arithmetic, equations, dynamic
 * programming, automata, graphs and sequences, with and without derivations.
 */
package dev.jformer.data.algorithm;
