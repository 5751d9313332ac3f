/**
 * Problems of decision, whose environments are unknown, and the classical policies that learn to
 * act in them: linear bandits and tabular Markov decision processes.
 */
package dev.jformer.data.decision;
