/** Studies of models that make images. */
package dev.jformer.studies.generation;
