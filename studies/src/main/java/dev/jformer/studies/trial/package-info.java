/**
 * Experiments that several studies share: trials that train a model on one kind of data, models and
 * trainings of a small size, and times and costs, which are measured in turns.
 */
package dev.jformer.studies.trial;
