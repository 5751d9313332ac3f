/**
 * Recipes and the jobs that carry them out: prepare data, build a model, train, evaluate, save,
 * predict.
 */
package dev.jformer.run;
