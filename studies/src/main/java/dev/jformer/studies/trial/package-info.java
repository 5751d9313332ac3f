/**
 * Experiments that studies share: trials that train a model on one kind of data, configurations of
 * small models, and measurements of time and memory.
 */
package dev.jformer.studies.trial;
