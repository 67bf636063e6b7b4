// SPDX-License-Identifier: Apache-2.0
plugins {
    alias(libs.plugins.android.library)
    `maven-publish`
}

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
    compileSdk = 36

    defaultConfig {
        minSdk = 24
        consumerProguardFiles("consumer-rules.pro")
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_11
        targetCompatibility = JavaVersion.VERSION_11
    }

    sourceSets {
        getByName("main") {
            assets.directories.add(assetsFolder.get().asFile.path)
        }
        getByName("test") {
            resources.directories.add(layout.buildDirectory.dir("models").get().asFile.path)
        }
    }

    testOptions {
        unitTests.all { it.useJUnitPlatform() }
    }

    publishing {
        singleVariant("release") {
            withSourcesJar()
            withJavadocJar()
        }
    }
}

kotlin {
    explicitApi()
}

publishing {
    publications.register<MavenPublication>("release") {
        afterEvaluate { from(components["release"]) }
    }
}

tasks.named("preBuild") {
    dependsOn(copyModels)
}

dependencies {
    api(project(":relight-core"))
    implementation(libs.litert)
    implementation(libs.litert.gpu)
    implementation(libs.litert.gpu.api)
    testImplementation(platform(libs.junit.bom))
    testImplementation(libs.junit.jupiter)
    testRuntimeOnly(libs.junit.launcher)
}
