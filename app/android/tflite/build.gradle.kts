// SPDX-License-Identifier: Apache-2.0
plugins {
    alias(libs.plugins.android.library)
    alias(libs.plugins.kotlin.android)
}

group = "portrait.relight"
version = "0.1.0"

// The Python package's own models become assets, and resources for the tests.
val assetsFolder = layout.buildDirectory.dir("models/assets")
val copyModels = tasks.register<Copy>("copyModels") {
    from(projectDir.resolve("../../../relight/models")) {
        include("*.tflite", "models.json")
    }
    into(assetsFolder.map { it.dir("portrait_relight") })
}

android {
    namespace = "portrait.relight.tflite"
    compileSdk = 35

    defaultConfig {
        minSdk = 24
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }

    kotlinOptions {
        jvmTarget = "17"
    }

    sourceSets {
        getByName("main") {
            assets.srcDir(assetsFolder)
        }
        getByName("test") {
            resources.srcDir(layout.buildDirectory.dir("models"))
        }
    }

    testOptions {
        unitTests.all { it.useJUnitPlatform() }
    }
}

kotlin {
    explicitApi()
}

tasks.named("preBuild") {
    dependsOn(copyModels)
}

dependencies {
    api(project(":core"))
    implementation(libs.tensorflow.lite)
    implementation(libs.tensorflow.lite.gpu)
    implementation(libs.tensorflow.lite.gpu.api)
    testImplementation(platform(libs.junit.bom))
    testImplementation(libs.junit.jupiter)
    testRuntimeOnly(libs.junit.launcher)
}
