/** Experiments that several studies share: training under a budget, and curves of cost. */
package dev.jformer.studies.trial;
