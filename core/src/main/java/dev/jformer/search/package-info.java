/** Search for settings that make something best, such as hyperparameters. */
package dev.jformer.search;
